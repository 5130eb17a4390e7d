package amplify

import (
	"fmt"
	"maps"
	"slices"
)

// environment is the resolvers' ctx.env, nil when it is empty.
func environment(r recording) map[string]string {
	var env map[string]string
	for name, value := range r.Environment {
		if env == nil {
			env = map[string]string{}
		}
		env[name] = fmt.Sprint(value)
	}
	return env
}

// outputs merges what addOutput was given. Amplify refuses a second value for a
// key (OutputEntryAlreadyExistsError), and merges objects.
func outputs(r recording, found *findings) map[string]any {
	var merged map[string]any
	for _, output := range r.Outputs {
		if merged == nil {
			merged = map[string]any{}
		}
		for _, key := range merge(merged, output.Values, "") {
			found.fail("duplicate-output", output.At, "remove one of the two",
				"addOutput: there is already an output %s", key)
		}
	}
	return merged
}

// merge adds from to into and lists the keys that both have.
func merge(into, from map[string]any, prefix string) (twice []string) {
	for _, key := range slices.Sorted(maps.Keys(from)) {
		have, ok := into[key]
		if !ok {
			into[key] = from[key]
			continue
		}
		inner, isObject := have.(map[string]any)
		more, alsoObject := from[key].(map[string]any)
		if isObject && alsoObject {
			twice = append(twice, merge(inner, more, prefix+key+".")...)
			continue
		}
		twice = append(twice, prefix+key)
	}
	return twice
}
