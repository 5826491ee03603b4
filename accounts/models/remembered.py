"""What all processes must remember for a while: the rows of ``accounts.cache``."""

from django.db import models


class Remembered(models.Model):
    """One entry of the cache, under a name. Once it has expired, it counts as not there."""

    name = models.CharField(max_length=250, primary_key=True, db_column="_id")
    value = models.JSONField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "remembered"

    def __str__(self) -> str:
        return self.name
