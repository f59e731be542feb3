"""What the database itself holds true of refunds."""

from django.db import migrations

RULES = """
-- What goes back of a payment never exceeds what it brought (domain.md §3). The payment's row is locked first: of two
-- refunds at once the second sees the first.
CREATE FUNCTION billing_refund_within_payment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  paid numeric;
  given numeric;
BEGIN
  SELECT amount INTO paid FROM billing_payment
   WHERE id = NEW.payment_id AND tenant_id = NEW.tenant_id AND state = 'succeeded' FOR NO KEY UPDATE;
  SELECT coalesce(sum(amount), 0) INTO given FROM billing_refund
   WHERE payment_id = NEW.payment_id AND tenant_id = NEW.tenant_id;
  IF paid IS NULL OR given + NEW.amount > paid THEN
    RAISE EXCEPTION 'refund % exceeds what payment % brought', NEW.number, NEW.payment_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER billing_refund_within_payment BEFORE INSERT ON billing_refund
  FOR EACH ROW WHEN (NEW.payment_id IS NOT NULL) EXECUTE FUNCTION billing_refund_within_payment();
REVOKE EXECUTE ON FUNCTION billing_refund_within_payment() FROM PUBLIC;
"""
UNDO = "DROP FUNCTION billing_refund_within_payment() CASCADE;"


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_ledger_rules")]

    operations = [migrations.RunSQL(RULES, UNDO)]
