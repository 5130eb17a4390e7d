package front

import "fairway/internal/inference"

// Refusal is what a log says of a visit's call that no gateway saw: keys and values in
// turn. Who called is told where that is known.
func Refusal(v *Visit, failure *inference.Error) []any {
	all := []any{"request_id", v.ID, "kind", string(failure.Kind), "error", failure}
	if v.Principal.Name != "" {
		all = append(all, "principal", v.Principal.Name)
	}
	return all
}
