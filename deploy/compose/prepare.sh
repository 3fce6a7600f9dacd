#!/usr/bin/env bash
# Makes the secrets of compose.yaml in ./secrets. What is there already stays as it is.
#
# Compose mounts such files as they are, and each service reads them as a user of its own: so the files can be read by
# all, and the folder by nobody but you.
set -euo pipefail
cd "$(dirname "$0")"
umask 022
mkdir -p secrets
chmod 700 secrets
mkdir -p secrets/providers

secret() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
hash() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }
# write NAME keeps standard input, whole or not at all.
write() { cat >"secrets/$1.new" && mv "secrets/$1.new" "secrets/$1"; }

if [ ! -e secrets/postgres_url ]; then
  password=$(secret)
  secret | write postgres_password
  printf %s "$password" | write postgres_weir_password
  printf %s "postgres://weir:$password@postgres:5432/weir?sslmode=disable" | write postgres_url
fi
if [ ! -e secrets/clickhouse_url ]; then
  admin=$(secret) report=$(secret)
  sed -e "s/ADMIN_SHA256/$(hash "$admin")/" -e "s/REPORT_SHA256/$(hash "$report")/" -e "s/DEFINER_SHA256/$(hash "$(secret)")/" \
    clickhouse/users.xml | write clickhouse_users.xml
  printf %s "clickhouse://report:$report@clickhouse:9000" | write clickhouse_report_url
  printf %s "clickhouse://admin:$admin@clickhouse:9000" | write clickhouse_url
fi
[ -e secrets/operator_token ] || secret | write operator_token
[ -e secrets/oidc_client_secret ] || : | write oidc_client_secret
[ -e secrets/enrolment_token ] || : | write enrolment_token
echo "secrets/ is complete; put the secret of Weir's client at your identity provider into secrets/oidc_client_secret"
