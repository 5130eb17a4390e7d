package config

import "reflect"

// Changed are the paths of the settings that differ, in the order of the struct.
func Changed(a, b *Config) []string {
	var paths []string
	other := fields(b)
	for i, s := range fields(a) {
		if !reflect.DeepEqual(s.value.Interface(), other[i].value.Interface()) {
			paths = append(paths, s.path)
		}
	}
	return paths
}
