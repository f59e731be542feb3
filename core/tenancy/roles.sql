-- The cluster's roles, once per cluster, by a superuser. Idempotent. Used by development, CI and production alike.
-- Variables (psql -v): owner_password, app_password.
SELECT format('CREATE ROLE %I %s', name, options)
FROM (VALUES
  ('portal_owner',    'LOGIN NOSUPERUSER NOBYPASSRLS'),
  ('portal_customer', 'NOLOGIN NOBYPASSRLS'),
  ('portal_staff',    'NOLOGIN NOBYPASSRLS'),
  ('portal_app',      'LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS')
) AS roles (name, options)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
ALTER ROLE portal_owner LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'owner_password';
ALTER ROLE portal_app LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS PASSWORD :'app_password';
ALTER ROLE portal_customer NOLOGIN NOSUPERUSER NOBYPASSRLS;
ALTER ROLE portal_staff NOLOGIN NOSUPERUSER NOBYPASSRLS;
-- A plain GRANT would inherit: portal_app would see all rows without taking a role.
GRANT portal_customer, portal_staff TO portal_app   WITH INHERIT FALSE, SET TRUE;
GRANT portal_customer, portal_staff TO portal_owner WITH INHERIT TRUE,  SET TRUE;
ALTER ROLE portal_app SET statement_timeout = '30s';
