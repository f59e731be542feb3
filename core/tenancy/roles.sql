-- The cluster's four roles, once per cluster, by a superuser. Idempotent. Development, CI and production use this file
-- (script/roles fills in the passwords).
DO $roles$
DECLARE
  role record;
BEGIN
  FOR role IN
    SELECT * FROM (VALUES
      ('portal_owner',    'LOGIN NOSUPERUSER NOBYPASSRLS'),
      ('portal_customer', 'NOLOGIN NOSUPERUSER NOBYPASSRLS'),
      ('portal_staff',    'NOLOGIN NOSUPERUSER NOBYPASSRLS'),
      ('portal_app',      'LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS')
    ) AS wanted (name, options)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role.name) THEN
      EXECUTE format('CREATE ROLE %I', role.name);
    END IF;
    EXECUTE format('ALTER ROLE %I %s', role.name, role.options);
  END LOOP;
END
$roles$;
-- A plain GRANT would inherit: portal_app would see all rows without taking a role.
GRANT portal_customer, portal_staff TO portal_app   WITH INHERIT FALSE, SET TRUE;
GRANT portal_customer, portal_staff TO portal_owner WITH INHERIT TRUE,  SET TRUE;
ALTER ROLE portal_app SET statement_timeout = '30s';
