package ledger

import (
	"testing"

	"fairway/internal/inference"
)

// TestNoPromptIsKept: what a caller is told of a request that is wrong may quote it.
func TestNoPromptIsKept(t *testing.T) {
	for kind, want := range map[inference.Kind]string{inference.Validation: "", inference.Throttling: "slow down"} {
		r := inference.Record{Error: &inference.Failure{Status: 400, Type: kind, Message: "slow down"}}
		got := entryOf(r, false)
		if got.Record.Error.Message != want || got.Record.Error.Status != 400 || r.Error.Message != "slow down" {
			t.Errorf("%s: kept %+v of %+v, want the message %q and the record as it was", kind, got.Record.Error, r.Error, want)
		}
	}
}
