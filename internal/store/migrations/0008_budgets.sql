-- What servers took of budgets, to spend without asking again.
CREATE TABLE budget_leases (
    budget  TEXT NOT NULL,
    pot     TEXT NOT NULL,
    measure TEXT NOT NULL,
    starts  BIGINT NOT NULL, -- of the window, Unix seconds; 0 without one
    server  TEXT NOT NULL,
    held    BIGINT NOT NULL, -- taken and not given back, in the unit of the measure
    spent   BIGINT NOT NULL, -- by the settled records of the server
    until   BIGINT NOT NULL, -- Unix milliseconds; 0 is the window's own end
    PRIMARY KEY (budget, pot, measure, starts, server)
) /*sqlite WITHOUT ROWID*/;
CREATE INDEX budget_leases_of ON budget_leases (server);
CREATE INDEX budget_leases_old ON budget_leases (measure, starts);

CREATE TABLE servers (
    id   TEXT PRIMARY KEY,
    seen BIGINT NOT NULL -- Unix milliseconds
);

CREATE TABLE token_calibration (
    model   TEXT NOT NULL,
    class   TEXT NOT NULL,
    samples DOUBLE PRECISION NOT NULL,
    sum     DOUBLE PRECISION NOT NULL,
    squares DOUBLE PRECISION NOT NULL,
    updated BIGINT NOT NULL,
    PRIMARY KEY (model, class)
) /*sqlite WITHOUT ROWID*/;

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
