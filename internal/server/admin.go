package server

import (
	"encoding/json"
	"fmt"
	"net/http"

	"fairway/internal/catalog"
	"fairway/internal/inference"
	"fairway/internal/route"
	"fairway/internal/upstream/sim"
)

// regionsStatus is what GET /api/regions answers.
type regionsStatus struct {
	Simulated bool                `json:"simulated"`
	Regions   []sim.RegionStatus  `json:"regions"` // simulated regions that were called or given a fault
	Targets   []route.TargetState `json:"targets"` // targets that were tried, with their breakers
}

func (s *Server) getRegions(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, regionsStatus{
		Simulated: true,
		Regions:   s.world.Status(),
		Targets:   s.router.States(s.now()),
	})
}

// putRegion gives a simulated region a fault: {"fault": "down"}.
func (s *Server) putRegion(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Fault string `json:"fault"`
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&body); err != nil {
		writeError(w, http.StatusBadRequest, `set fault: the body is not {"fault": "down"}`)
		return
	}
	if err := s.SetFault(inference.Region(r.PathValue("region")), body.Fault); err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	s.getRegions(w, r)
}

// SetFault gives a simulated region a fault by name; "up" takes it away. The
// router is not told: it learns of a fault by calling.
func (s *Server) SetFault(region inference.Region, fault string) error {
	if !catalog.IsRegion(region) {
		return fmt.Errorf("set fault: no region is called %q: use one such as ap-southeast-1", region)
	}
	f, err := sim.ParseFault(fault)
	if err != nil {
		return fmt.Errorf("set fault: %s", inference.AsError(err).Message)
	}
	s.world.Set(region, f)
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the client may be gone
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"message": message})
}
