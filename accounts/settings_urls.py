"""The pages of settings that tell of an account: its people, its API keys and its audit log."""

from django.urls import path

from accounts import views

app_name = "settings"
urlpatterns = [
    path("account/", views.account, name="account"),
    path("people/", views.people, name="people"),
    path("people/invite/", views.invite, name="invite"),
    path("people/leave/", views.leave, name="leave"),
    path("people/<str:pk>/roles/", views.change_roles, name="change-roles"),
    path("people/<str:pk>/remove/", views.remove_member, name="remove-member"),
    path("people/invitations/<str:pk>/send/", views.send_invitation, name="send-invitation"),
    path("people/invitations/<str:pk>/withdraw/", views.withdraw_invitation, name="withdraw-invitation"),
    path("api-keys/", views.keys, name="keys"),
    path("api-keys/new/", views.new_key, name="new-key"),
    path("api-keys/<str:pk>/rename/", views.rename_key, name="rename-key"),
    path("api-keys/<str:pk>/rotate/", views.rotate_key, name="rotate-key"),
    path("api-keys/<str:pk>/revoke/", views.revoke_key, name="revoke-key"),
    path("api-keys/<str:pk>/delete/", views.delete_key, name="delete-key"),
    path("audit/", views.audit_log, name="audit"),
    path("audit/export/", views.audit_export, name="audit-export"),
]
