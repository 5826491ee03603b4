"""What people fill in to sign in."""

from allauth.account.forms import LoginForm
from django.core.exceptions import ValidationError


class SignInForm(LoginForm):
    """Says the same of an unknown e-mail, a wrong password and a closed account."""

    @property
    def retry_after(self) -> int | None:
        """Seconds after which a password is looked at again; None where there was no limit in the way."""
        found = (error for error in self.errors.as_data().get("__all__", ()) if error.code == "limited")
        refusal: ValidationError | None = next(found, None)
        return refusal.params["retry_after"] if refusal and refusal.params else None
