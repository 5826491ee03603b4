from django.urls import path

from conversations import views

app_name = "conversations"
urlpatterns = [
    path("", views.conversation_list, name="list"),
    path("<str:pk>/", views.conversation_transcript, name="transcript"),
]
