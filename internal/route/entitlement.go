package route

import (
	"strings"
	"time"

	"fairway/internal/inference"
)

// entitlementHold is how long a target is left alone where the account may not use
// it: access to a model is asked for by hand.
const entitlementHold = 5 * time.Minute

// entitlement is whether a target's account may use it, as far as its region has told.
// A refusal is no outage. It holds until one call, let through when the hold is over,
// shows otherwise.
type entitlement struct {
	refusal  *inference.Error // the last one, nil while entitled
	until    time.Time        // end of its hold
	checking bool             // a call is out to see
}

// admit lets a call through, or not. Check is whether it is the one that is to see.
func (e *entitlement) admit(now time.Time) (check, ok bool) {
	switch {
	case e.refusal == nil:
		return false, true
	case e.checking || now.Before(e.until):
		return false, false
	}
	e.checking = true
	return true, true
}

// refuse takes in that the region said no.
func (e *entitlement) refuse(refusal *inference.Error, now time.Time) {
	e.refusal, e.until, e.checking = refusal, now.Add(entitlementHold), false
}

// refuses reports whether e says that the account may not use the target, whatever the
// request: access denied, credentials that the region does not know, no such model
// there, not on demand.
func refuses(e *inference.Error) bool {
	switch {
	case e.Transport:
		return false
	case isCredential(e.Kind), e.Kind == inference.AccessDenied:
		return true
	case e.Kind == inference.ResourceNotFound:
		return judge(e) != stop
	}
	return e.Kind == inference.Validation && strings.Contains(e.Message, notOnDemand)
}
