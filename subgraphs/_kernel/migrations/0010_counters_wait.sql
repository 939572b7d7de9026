-- A counter whose licence allows less goes on as it was until its period ends. Here stands what holds from then on:
-- {limit, policy, marginPercent, overageCap, unitRate}, amounts as digits; null where nothing waits.
alter table kernel.quota add column next jsonb;
