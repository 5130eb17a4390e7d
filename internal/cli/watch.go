package cli

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a folder must be quiet before a change is acted on: an
// editor's save is several events.
const settle = 80 * time.Millisecond

// watch calls changed after each burst of changes below dir, until ctx ends.
func watch(ctx context.Context, dir string, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	if err := addTree(w, dir); err != nil {
		_ = w.Close()
		return err
	}
	go func() {
		defer w.Close()
		quiet := time.NewTimer(settle)
		quiet.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case event, ok := <-w.Events:
				if !ok {
					return
				}
				if event.Has(fsnotify.Create) {
					_ = addTree(w, event.Name) // a new folder; a file is refused and that is fine
				}
				if !event.Has(fsnotify.Chmod) {
					quiet.Reset(settle)
				}
			case <-w.Errors:
				quiet.Reset(settle) // events were lost: look again
			case <-quiet.C:
				changed()
			}
		}
	}()
	return nil
}

// addTree watches dir and the folders below it, leaving out hidden ones and
// node_modules.
func addTree(w *fsnotify.Watcher, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); path != dir && (name == "node_modules" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		return w.Add(path)
	})
}
