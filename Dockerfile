# Built and started by the commands in docs/operations.md.
FROM python:3.12-slim AS build
ARG STORE=mongodb
WORKDIR /parley
COPY requirements ./requirements
RUN python -m venv .venv && .venv/bin/pip install --quiet --no-deps --require-hashes -r requirements/$STORE.txt

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /parley parley
WORKDIR /parley
COPY --from=build /parley/.venv ./.venv
COPY manage.py pyproject.toml ./
COPY config ./config
COPY accounts ./accounts
COPY conversations ./conversations
COPY locale ./locale
COPY static ./static
COPY templates ./templates
ENV PATH=/parley/.venv/bin:$PATH PYTHONUNBUFFERED=1 DEBUG=0 HOST=0.0.0.0 PORT=8000
# Names of static files do not depend on where it runs; the key signs nothing here and is not kept.
RUN SECRET_KEY=$(python -c "import secrets; print(secrets.token_urlsafe(50))") python manage.py collectstatic --noinput --verbosity=0 \
    && mkdir -p var && chown -R parley var
USER parley
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"
CMD ["python", "-m", "config.serve"]
