package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fairway/internal/sample"
)

// project is the source of a backend: a folder on disk or the built-in sample.
type project struct {
	files fs.FS  // rooted at the project root
	dir   string // the project root on disk, empty for the sample
}

// openProject opens the project root that dir is, or whose amplify folder dir
// is. The empty dir is the built-in sample.
func openProject(dir string) (*project, error) {
	if dir == "" {
		return &project{files: sample.Files()}, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(abs, "backend.ts")); err == nil && filepath.Base(abs) == "amplify" {
		abs = filepath.Dir(abs)
	}
	// os.Root keeps symbolic links from leading out of the project.
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("open %s: no such folder: name a project root or its amplify/ folder", dir)
	}
	if _, err := root.Stat("amplify"); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("open %s: it has no amplify/ folder: name a project root or its amplify/ folder", dir)
	}
	return &project{files: root.FS(), dir: abs}, nil
}

// dirArgument is the folder a command works on: its argument, else here.
func dirArgument(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}
