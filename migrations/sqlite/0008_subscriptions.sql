-- Subscriptions are listed, and brought to what was asked for.
--
-- `wanted` is what Stripe has not confirmed yet. `asked` is the last word, also once it is confirmed: whoever is still
-- writing at Stripe when another word is given finds it here.
ALTER TABLE subscription ADD COLUMN asked TEXT; -- canceled, ending, paused, active
ALTER TABLE subscription ADD COLUMN asked_job TEXT; -- the job that brings it about

CREATE INDEX subscription_source ON subscription (site, source, id);
CREATE INDEX subscription_live ON subscription (site, id)
    WHERE status IN ('active', 'trialing', 'past_due', 'paused', 'unpaid');
CREATE INDEX subscription_over ON subscription (site, id)
    WHERE status NOT IN ('active', 'trialing', 'past_due', 'paused', 'unpaid');
-- What a seller elsewhere sold is recorded once.
CREATE UNIQUE INDEX subscription_reference ON subscription (site, source, reference) WHERE reference IS NOT NULL;
-- What is paid elsewhere ends by itself.
CREATE INDEX subscription_elsewhere ON subscription (period_end)
    WHERE external_id IS NULL AND period_end IS NOT NULL AND status IN ('active', 'paused');
