from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _

from config.lean import load_rest_framework

load_rest_framework()  # before anything else does


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from accounts import security_log
        from accounts.middleware import begin
        from accounts.sessions import follow
        from config import checks  # noqa: F401  registers them

        user_logged_in.connect(begin)
        user_logged_in.connect(follow)
        security_log.connect()
