# One file for every container of docker-compose.yml that holds our own code or configuration.

FROM python:3.11-slim-bookworm AS packages
COPY requirements/production.txt /tmp/production.txt
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/production.txt


FROM python:3.11-slim-bookworm AS portal
RUN apt-get update \
 && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin portal \
 && install -d -o portal -g portal -m 700 /data
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings.prod \
    DATA_DIR=/data \
    XDG_CACHE_HOME=/tmp/cache \
    STATIC_ROOT=/app/staticfiles \
    FONTS_ROOT=/app/fonts
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
# Static files, translations and fonts belong to the image. Building them needs no server; these values go no further.
RUN python -m compileall -q -x '^./tests' . \
 && SECRET_KEY=only-for-this-step-of-the-build DATABASE_OWNER_URL=postgresql:// REDIS_URL=redis:// \
    python -m config.prepare files
USER 10001:10001
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--config=python:config.web", "--preload", "--worker-class=gthread", "--workers=2", "--threads=8", \
     "--bind=0.0.0.0:8000", "--no-control-socket", "--worker-tmp-dir=/dev/shm", "--max-requests=10000", "--max-requests-jitter=1000"]


FROM debian:bookworm-slim AS pgbouncer
RUN apt-get update \
 && apt-get install -y --no-install-recommends pgbouncer \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10002 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin bouncer
COPY deploy/pgbouncer.sh /usr/local/bin/portal-pgbouncer
USER 10002:10002
EXPOSE 6432
CMD ["portal-pgbouncer"]
