"""The page of settings that tells how leads' data is kept and shown."""

from django.urls import path

from conversations import views

app_name = "privacy"
urlpatterns = [
    path("privacy/", views.privacy, name="settings"),
]
