"""The pages of a person's own security, under the names that allauth has for them."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("", views.security, name="mfa_index"),
    path("password/", views.change_password, name="account_change_password"),
    path("confirm/", views.confirm_password, name="account_reauthenticate"),
    path("confirm/code/", views.confirm_code, name="mfa_reauthenticate"),
    path("authenticator/", views.add_authenticator, name="mfa_activate_totp"),
    path("authenticator/remove/", views.remove_authenticator, name="mfa_deactivate_totp"),
    path("recovery-codes/", views.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("recovery-codes/new/", views.new_recovery_codes, name="mfa_generate_recovery_codes"),
    path("sessions/end/", views.sign_out_everywhere, name="sign-out-everywhere"),
    path("sessions/<str:pk>/end/", views.sign_out_session, name="sign-out-session"),
]
