-- The rows of usage_hours of hours that are over, those of all buckets as one. What is
-- told of such an hour later is in usage_hours again: the sums are those of both.
CREATE TABLE past_hours (
    starts               BIGINT NOT NULL,
    series               BIGINT NOT NULL,
    calls                BIGINT NOT NULL,
    attempts             BIGINT NOT NULL,
    failed_over          BIGINT NOT NULL,
    hedged               BIGINT NOT NULL,
    input_tokens         BIGINT NOT NULL,
    output_tokens        BIGINT NOT NULL,
    cache_read_tokens    BIGINT NOT NULL,
    cache_write_tokens   BIGINT NOT NULL,
    wasted_input_tokens  BIGINT NOT NULL,
    wasted_output_tokens BIGINT NOT NULL,
    cost                 BIGINT NOT NULL,
    wasted_cost          BIGINT NOT NULL,
    saved                BIGINT NOT NULL,
    latency_ms           BIGINT NOT NULL,
    costs                TEXT NOT NULL, -- "BUCKET CALLS BUCKET CALLS"; a bucket may come again, its calls add up
    PRIMARY KEY (starts, series)
) /*sqlite WITHOUT ROWID*/;

-- The same of usage_days.
CREATE TABLE past_days (
    starts               BIGINT NOT NULL,
    series               BIGINT NOT NULL,
    calls                BIGINT NOT NULL,
    attempts             BIGINT NOT NULL,
    failed_over          BIGINT NOT NULL,
    hedged               BIGINT NOT NULL,
    input_tokens         BIGINT NOT NULL,
    output_tokens        BIGINT NOT NULL,
    cache_read_tokens    BIGINT NOT NULL,
    cache_write_tokens   BIGINT NOT NULL,
    wasted_input_tokens  BIGINT NOT NULL,
    wasted_output_tokens BIGINT NOT NULL,
    cost                 BIGINT NOT NULL,
    wasted_cost          BIGINT NOT NULL,
    saved                BIGINT NOT NULL,
    latency_ms           BIGINT NOT NULL,
    costs                TEXT NOT NULL,
    PRIMARY KEY (starts, series)
) /*sqlite WITHOUT ROWID*/;
