package amplify

import (
	"embed"
	"fmt"
	"strconv"
	"strings"

	"fairway/internal/amplify/schema"
)

//go:embed modules
var modules embed.FS

// packages maps what project code may import, and fairway/ names that only our
// own modules import, to a file of the modules folder.
var packages = map[string]string{
	"@aws-amplify/backend": "backend.js",
	"aws-cdk-lib":          "cdk.js",
	"aws-cdk-lib/core":     "cdk.js",
	"aws-cdk-lib/aws-iam":  "iam.js",
	"fairway/api":          "api.js",
	"fairway/recorder":     "recorder.js",
	"fairway/recording":    "recording.js",
	"fairway/role":         "role.js",
	"fairway/stack":        "stack.js",
}

// schemaPackage is the package of the schema builder; @aws-amplify/backend
// exports its a as well.
const schemaPackage = "@aws-amplify/data-schema"

// hasModule reports whether project code may import the package name.
func hasModule(name string) bool {
	return name == schemaPackage || isRecorded(name) ||
		packages[name] != "" && !strings.HasPrefix(name, "fairway/")
}

// isRecorded reports whether the package's exports are recorders only.
func isRecorded(name string) bool {
	if packages[name] != "" || name == schemaPackage {
		return false
	}
	return name == "constructs" || strings.HasPrefix(name, "aws-cdk-lib/") ||
		strings.HasPrefix(name, "@aws-cdk/") || strings.HasPrefix(name, "@aws-amplify/")
}

// moduleText is the source text of the package name.
func moduleText(name string) (string, error) {
	if name == schemaPackage {
		return schema.Module(), nil
	}
	if isRecorded(name) {
		return `module.exports = require("fairway/recorder").library(` + strconv.Quote(name) + `)`, nil
	}
	file, ok := packages[name]
	if !ok {
		return "", fmt.Errorf("no module %q", name)
	}
	text, err := modules.ReadFile("modules/" + file)
	return string(text), err
}
