package inference

import "time"

// Calibration is what the answers of a model taught about estimates of its tokens, for
// texts of one script: of the logarithms of real over estimated tokens how many there
// were, their sum and the sum of their squares. Old ones fade, so that none is whole.
type Calibration struct {
	Model   string    `json:"model"`
	Script  string    `json:"class"`
	Samples float64   `json:"samples"`
	Sum     float64   `json:"sum"`
	Squares float64   `json:"squares"`
	Updated time.Time `json:"updated"`
}

// Correction is how estimates of a model's tokens do for texts of one script, by what its
// answers taught.
type Correction struct {
	Model   ModelID `json:"model"`
	Script  string  `json:"script"`
	Samples float64 `json:"samples"` // answers that taught, older ones for less
	Factor  float64 `json:"factor"`  // that the arithmetic is multiplied with
	Error   float64 `json:"error"`   // half the interval's width as a share of the estimate, of long texts
}
