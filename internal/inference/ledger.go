package inference

// Entry is what a ledger keeps of a call: its record as it stands, open while the call
// runs. One that is settled takes the place of the open one with the same Record.ID.
type Entry struct {
	Open    bool     `json:"open,omitempty"`
	Record  Record   `json:"record"`
	Charges []Charge `json:"charges,omitempty"` // the Record's, which its own JSON leaves out
}
