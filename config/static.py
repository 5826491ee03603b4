"""Static files under names that change with their content."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Scripts import each other by those names too: else a browser would keep an old part beside a new one."""

    support_js_module_import_aggregation = True
