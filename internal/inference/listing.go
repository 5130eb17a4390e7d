package inference

import "time"

// ProfileListing is an inference profile as the control plane shows it.
type ProfileListing struct {
	Profile
	Name        string
	Description string
	Created     time.Time // zero where it is not known
	Updated     time.Time // zero where it is not known
}

// ModelListing is a foundation model as the control plane of one region shows it.
// The words in its lists are the service's own, "TEXT", "ON_DEMAND".
type ModelListing struct {
	ID             ModelID
	Name           string
	Provider       string
	Input, Output  []string // modalities
	Streaming      bool
	InferenceTypes []string // ON_DEMAND, INFERENCE_PROFILE
	Lifecycle      Lifecycle
}

// Lifecycle is when a model came and when it goes. A zero time is not known, or
// not set by the service.
type Lifecycle struct {
	Status         string // ACTIVE or LEGACY
	Start          time.Time
	Legacy         time.Time
	ExtendedAccess time.Time // public extended access, at a higher price
	EndOfLife      time.Time
}
