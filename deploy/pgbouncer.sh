#!/bin/sh
# Pool connections per transaction between the portal and PostgreSQL. Everything the portal sets (role, tenant) is local
# to a transaction, so that a pooled connection carries nothing over (docs/adr/0001).
#   PG_HOST, PG_PORT, PG_DATABASE      the server behind
#   APP_DB_PASSWORD                    portal_app's password; nobody else gets in
#   LISTEN_ADDRESS, LISTEN_PORT, POOL_SIZE, MAX_CLIENTS, RUN_DIR
set -eu
umask 077
: "${PG_HOST:?}" "${PG_DATABASE:?}" "${APP_DB_PASSWORD:?}"
RUN_DIR=${RUN_DIR:-/tmp}
cat > "$RUN_DIR/userlist.txt" <<LIST
"portal_app" "$APP_DB_PASSWORD"
LIST
cat > "$RUN_DIR/pgbouncer.ini" <<INI
[databases]
$PG_DATABASE = host=$PG_HOST port=${PG_PORT:-5432} dbname=$PG_DATABASE

[pgbouncer]
listen_addr = ${LISTEN_ADDRESS:-0.0.0.0}
listen_port = ${LISTEN_PORT:-6432}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $RUN_DIR/userlist.txt
pool_mode = transaction
default_pool_size = ${POOL_SIZE:-20}
max_client_conn = ${MAX_CLIENTS:-500}
server_reset_query =
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
INI
exec "${PGBOUNCER:-pgbouncer}" "$RUN_DIR/pgbouncer.ini"
