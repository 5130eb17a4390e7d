package server

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"fairway/internal/route"
)

// TestProbesFindRegionsThatAreWellAgain: no call has to be it, and each probe has a
// record.
func TestProbesFindRegionsThatAreWellAgain(t *testing.T) {
	s := listening(t, "simulate: {speed: instant}\nprobe: {every: 10ms}\nbreaker: {failures: 1, open_for: 10ms, max_open_for: 10ms}\n"+caller)
	fault := func(name string) {
		if err := s.SetFault(entry, name); err != nil {
			t.Fatal(err)
		}
	}
	fault("5xx")
	_, err := modelClient(s.url(), transport(t, false)).Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId:  aws.String(profile),
		Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hi"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	fault("up")
	for line := s.wait(t, "call"); line["principal"] != prober.Name || line["outcome"] != "ok"; {
		line = s.wait(t, "call")
	}
	for _, target := range s.app.Load().router.States(time.Now()) {
		if target.Region == entry && target.State != route.Closed {
			t.Errorf("state of %s after a probe answered = %s, want closed", entry, target.State)
		}
	}
}
