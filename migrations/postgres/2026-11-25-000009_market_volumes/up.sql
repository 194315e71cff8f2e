-- The most traded of the open markets are what people look at first.

CREATE INDEX market_states_by_phase_and_volume ON market_states (phase, volume_minor DESC, market_id DESC);
