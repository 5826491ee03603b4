from django.urls import path

from conversations import views

app_name = "conversations"
urlpatterns = [
    path("", views.conversation_list, name="list"),
    path("export/", views.conversation_export, name="export"),
    path("new/", views.conversation_news, name="new"),
    path("seen/", views.mark_seen, name="seen"),
    path("bulk/", views.change_many, name="bulk"),
    path("bulk/<str:pk>/undo/", views.undo_many, name="undo"),
    path("views/", views.save_view, name="save-view"),
    path("views/<str:pk>/remove/", views.remove_view, name="remove-view"),
    path("columns/", views.choose_columns, name="columns"),
    path("demo/", views.load_demo, name="load-demo"),
    path("<str:pk>/", views.conversation_transcript, name="transcript"),
    path("<str:pk>/brief/", views.conversation_brief, name="brief"),
    path("<str:pk>/share/", views.share_brief, name="share"),
    path("<str:pk>/text/", views.conversation_text, name="text"),
    path("<str:pk>/status/", views.change_status, name="status"),
    path("<str:pk>/erase/", views.erase_lead, name="erase"),
    path("<str:pk>/reveal/", views.reveal_contact, name="reveal"),
    path("<str:pk>/notes/", views.write_note, name="note"),
    path("<str:pk>/notes/<str:note>/remove/", views.remove_note, name="remove-note"),
]
