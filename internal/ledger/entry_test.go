package ledger

import (
	"testing"

	"fairway/internal/inference"
)

// TestNoPromptIsKept: what a caller is told of a request that is wrong may quote it, as
// may whatever a region or a server says.
func TestNoPromptIsKept(t *testing.T) {
	for _, test := range []struct {
		kind    inference.Kind
		foreign bool
		want    string
	}{
		{inference.Validation, false, ""},
		{inference.ResourceNotFound, true, ""},
		{inference.InternalServer, true, ""},
		{inference.Throttling, true, ""},
		{inference.Throttling, false, "slow down"},
	} {
		r := inference.Record{Error: &inference.Failure{Status: 400, Type: test.kind, Message: "slow down", Foreign: test.foreign}}
		got := entryOf(r, false)
		if got.Record.Error.Message != test.want || got.Record.Error.Status != 400 || got.Record.Error.Type != test.kind || r.Error.Message != "slow down" {
			t.Errorf("%s, foreign %t: kept %+v of %+v, want the message %q and the record as it was", test.kind, test.foreign, got.Record.Error, r.Error, test.want)
		}
	}
}
