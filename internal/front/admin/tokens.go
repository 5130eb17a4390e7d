package admin

import (
	"context"
	"net/http"

	"fairway/internal/inference"
)

// Calibrations is where servers share what answers taught about estimates of tokens.
type Calibrations interface {
	Calibrations(ctx context.Context) ([]inference.Calibration, error)
}

// estimates answers GET /api/tokens: how estimates are corrected, what this server learned in the
// last minute among it, and the rows from which another program estimates as all servers
// of the store do.
func (d *Door) estimates(r *http.Request) (any, error) {
	rows, err := d.Calibrations.Calibrations(r.Context())
	if err != nil {
		return nil, err
	}
	return struct {
		Corrections []inference.Correction  `json:"calibrations"`
		Rows        []inference.Calibration `json:"rows"`
	}{append([]inference.Correction{}, d.Corrections()...), append([]inference.Calibration{}, rows...)}, nil
}
