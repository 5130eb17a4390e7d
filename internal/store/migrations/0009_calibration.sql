CREATE TABLE token_calibration (
    model   TEXT NOT NULL,
    script  TEXT NOT NULL,
    samples DOUBLE PRECISION NOT NULL,
    sum     DOUBLE PRECISION NOT NULL,
    squares DOUBLE PRECISION NOT NULL,
    updated BIGINT NOT NULL,
    PRIMARY KEY (model, script)
) /*sqlite WITHOUT ROWID*/;
