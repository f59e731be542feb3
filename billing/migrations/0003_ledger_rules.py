"""What the database itself holds true of the account book."""

from django.db import migrations

RULES = """
-- An account's balance is the sum of its legs: it follows each leg in the statement that writes the leg, and nothing
-- else may change it. Two postings on one account queue up on its row; the second sees what the first left.
CREATE FUNCTION billing_leg_moves_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE billing_ledgeraccount SET balance = balance + NEW.amount
   WHERE id = NEW.account_id AND tenant_id = NEW.tenant_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such account' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER billing_leg_moves_balance BEFORE INSERT ON billing_ledgerleg
  FOR EACH ROW EXECUTE FUNCTION billing_leg_moves_balance();

CREATE FUNCTION billing_balance_follows_legs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NEW.balance <> 0 THEN
    RAISE EXCEPTION 'an account opens with 0.00' USING ERRCODE = 'check_violation';
  END IF;
  IF TG_OP = 'UPDATE' AND pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'a balance changes by postings only' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER billing_balance_follows_legs BEFORE INSERT OR UPDATE ON billing_ledgeraccount
  FOR EACH ROW EXECUTE FUNCTION billing_balance_follows_legs();

-- Legs sum to zero, checked when the transaction ends (the posting service asks for the check at once).
CREATE FUNCTION billing_legs_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  total numeric;
BEGIN
  SELECT sum(amount) INTO total FROM billing_ledgerleg WHERE transaction_id = NEW.transaction_id;
  IF total IS DISTINCT FROM 0 THEN
    RAISE EXCEPTION 'posting % does not balance: %', NEW.transaction_id, coalesce(total::text, 'unseen')
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER billing_legs_balance AFTER INSERT ON billing_ledgerleg
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_legs_balance();

-- The book is append-only, for the tables' owner too.
CREATE FUNCTION billing_book_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the account book is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER billing_book_is_append_only BEFORE UPDATE OR DELETE ON billing_ledgerleg
  FOR EACH ROW EXECUTE FUNCTION billing_book_is_append_only();
CREATE TRIGGER billing_book_is_append_only BEFORE UPDATE OR DELETE ON billing_ledgertransaction
  FOR EACH ROW EXECUTE FUNCTION billing_book_is_append_only();

REVOKE EXECUTE ON FUNCTION billing_leg_moves_balance(), billing_balance_follows_legs(),
  billing_legs_balance(), billing_book_is_append_only() FROM PUBLIC;
"""
UNDO = """
DROP FUNCTION billing_leg_moves_balance() CASCADE;
DROP FUNCTION billing_balance_follows_legs() CASCADE;
DROP FUNCTION billing_legs_balance() CASCADE;
DROP FUNCTION billing_book_is_append_only() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_isolation")]

    operations = [migrations.RunSQL(RULES, UNDO)]
