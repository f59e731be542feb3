"""What the database itself holds true of conversations."""

from django.db import migrations

RULES = """
-- What was said is not rewritten. A message changes once, when its author takes it back: its text goes.
CREATE FUNCTION tickets_message_is_recalled_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.recalled_at IS NOT NULL OR NEW.recalled_at IS NULL OR NEW.body <> '' OR NEW.search IS NOT NULL
     OR OLD.is_staff OR OLD.is_automatic THEN
    RAISE EXCEPTION 'a message is recalled, not rewritten' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER tickets_message_is_recalled_only BEFORE UPDATE ON tickets_ticketmessage
  FOR EACH ROW EXECUTE FUNCTION tickets_message_is_recalled_only();

REVOKE EXECUTE ON FUNCTION tickets_message_is_recalled_only() FROM PUBLIC;
"""
UNDO = "DROP FUNCTION tickets_message_is_recalled_only() CASCADE;"


class Migration(migrations.Migration):
    dependencies = [("tickets", "0002_isolation")]

    operations = [migrations.RunSQL(RULES, UNDO)]
