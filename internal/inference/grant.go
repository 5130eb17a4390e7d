package inference

// Grant is the policy's answer for one call: where the model may run, in order,
// each with the statement that decided. Grants are shared and never modified.
type Grant struct {
	Profile      Profile
	Destinations []Destination // allowed; those that a statement names come first, in written order
	Denied       []Denial      // the other destinations, in catalog order
	AWS          Verdict       // what AWS itself would answer
	Shared       bool          // calls like this one get this very grant
}

// Destination is an allowed destination region.
type Destination struct {
	Region    Region
	Named     bool   // a statement names the region; false when only a wildcard covers it
	Statement string // position of the deciding Allow, e.g. "amplify/backend.ts:30"
}

// Denial is a destination that is not allowed.
type Denial struct {
	Region    Region
	Resource  ARN    // the ARN that failed
	Statement string // position of the deciding Deny; empty when no statement allows
	Reason    string // as the service ends its 403, e.g. "no identity-based policy allows the bedrock:InvokeModel action"
}

// Verdict is what AWS would answer to the call: one denied resource refuses it.
type Verdict struct {
	Allowed   bool   `json:"allowed"`
	Resource  ARN    `json:"resource,omitempty"`  // the first resource that is not allowed
	Statement string `json:"statement,omitempty"` // position of the deciding Deny; empty when no statement allows
}
