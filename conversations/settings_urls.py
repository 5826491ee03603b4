"""The pages of settings that tell of conversations."""

from django.urls import path

from conversations import views

app_name = "names"
urlpatterns = [
    path("names/", views.names, name="list"),
    path("names/agents/<str:pk>/", views.name_agent, name="agent"),
    path("names/campaigns/<str:pk>/", views.name_campaign, name="campaign"),
]
