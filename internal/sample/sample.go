// Package sample is the built-in amplify/ folder: a recipe app whose one field
// asks Claude Sonnet 4 through the apac. inference profile, with ap-southeast-1
// as its source region and its destination regions in an order of its own.
package sample

import (
	"embed"
	"io/fs"
)

//go:embed all:amplify
var project embed.FS

// Files is the project folder, rooted where it holds "amplify".
func Files() fs.FS { return project }
