package cli

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"fairway/backend"
	"fairway/internal/amplify"
	"fairway/internal/check"
	"fairway/internal/config"
	"fairway/internal/outputs"
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
	abs, err := projectRoot(dir)
	if err != nil {
		return nil, err
	}
	// os.Root keeps symbolic links from leading out of the project.
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if _, err := root.Stat("amplify"); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("open %s: it has no amplify/ folder: name a project root or its amplify/ folder", dir)
	}
	return &project{files: root.FS(), dir: abs}, nil
}

// projectRoot is the folder dir, or the one above it when dir is an amplify folder.
func projectRoot(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return "", fmt.Errorf("open %s: no such folder: name a project root or its amplify/ folder", dir)
	}
	if _, err := os.Stat(filepath.Join(abs, "backend.ts")); err == nil && filepath.Base(abs) == "amplify" {
		abs = filepath.Dir(abs)
	}
	return abs, nil
}

// workspace is a project and the configuration it runs under.
type workspace struct {
	*project
	config *config.Config
	log    *slog.Logger
}

// open opens the project in dir with its configuration.
func (f *runFlags) open(s Surroundings, dir string) (*workspace, error) {
	p, err := openProject(dir)
	if err != nil {
		return nil, err
	}
	cfg, _, err := f.read(s, p.dir)
	if err != nil {
		return nil, err
	}
	return &workspace{project: p, config: cfg, log: logger(s, cfg.Log)}, nil
}

// load makes a backend of the project's folder. The error lists what must
// change; beside it may be as much of the backend as could be built.
func (w *workspace) load(ctx context.Context) (*backend.Backend, error) {
	return amplify.Load(ctx, w.files,
		amplify.WithAccount(w.config.Account),
		amplify.WithRegion(string(cmp.Or(w.config.Region, "us-east-1"))),
		amplify.WithLog(w.log))
}

// amplifyOutputs is amplify_outputs.json of b as local serves it under c.
func amplifyOutputs(b *backend.Backend, c *config.Config, local outputs.Fairway) ([]byte, error) {
	if b.Auth != nil && !c.IdentityPool.Guests {
		shown, auth := *b, *b.Auth
		auth.AllowGuests, shown.Auth = false, &auth
		b = &shown
	}
	return outputs.Amplify(b, local)
}

// check finds what is to be known about the project's backend.
func (w *workspace) check(ctx context.Context, b *backend.Backend) []backend.Finding {
	return check.Run(ctx, b, check.Options{
		Account: w.config.Account,
		Strict:  w.config.Grant == config.Strict,
		Now:     time.Now(),
	})
}

// dirArgument is the folder a command works on: its argument, else here.
func dirArgument(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}
