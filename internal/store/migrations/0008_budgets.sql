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
