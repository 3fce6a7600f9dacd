#!/usr/bin/env bash
# Runs once, on an empty data folder: the login role of the control plane, which has no powers (docs/tenancy.md).
set -euo pipefail
psql -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/postgres_weir_password)" -U postgres <<'SQL'
CREATE ROLE weir_app NOLOGIN;
CREATE ROLE weir_system NOLOGIN;
CREATE ROLE weir LOGIN PASSWORD :'password';
GRANT weir_app, weir_system TO weir;
CREATE DATABASE weir OWNER weir;
SQL
