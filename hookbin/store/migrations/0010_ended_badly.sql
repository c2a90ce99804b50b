-- What failed or was cancelled, to be found among all that succeeded. What succeeds at once never enters it.
CREATE INDEX deliveries_ended_badly ON deliveries (state, id) WHERE state IN ('failed', 'cancelled');
