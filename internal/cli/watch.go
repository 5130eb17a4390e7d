package cli

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a folder must be quiet before a change is acted on: an
// editor's save is several events.
const settle = 80 * time.Millisecond

// watch calls changed after each burst of changes to the folders of a project,
// or to the files in it that are no part of them, until ctx ends. Also is asked
// for the files anew after each burst. The empty folder is none.
func watch(ctx context.Context, root, folder string, also func() []string, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	seen := &watched{watcher: w, root: root}
	if folder != "" {
		seen.folder = filepath.Join(root, folder)
	}
	if err := seen.add(also()); err != nil {
		return errors.Join(err, w.Close())
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
				if seen.matters(event) {
					quiet.Reset(settle)
				}
			case <-w.Errors:
				quiet.Reset(settle) // events were lost: look again
			case <-quiet.C:
				changed()
				_ = seen.add(also()) // what is gone for now is found again by its parent
			}
		}
	}()
	return nil
}

// watched is what a watcher looks at: a folder with all below it, its parent (so
// that the folder may go and come back), and single files elsewhere.
type watched struct {
	watcher      *fsnotify.Watcher
	root, folder string
	files        map[string]bool
}

// add watches everything that is there now; what is watched already stays so.
func (s *watched) add(files []string) error {
	s.files = map[string]bool{}
	err := s.watcher.Add(s.root)
	if s.folder != "" {
		err = errors.Join(err, addTree(s.watcher, s.folder))
	}
	for _, name := range files {
		if name == "" {
			continue
		}
		path := filepath.FromSlash(name)
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.root, path)
		}
		s.files[path] = true
		err = errors.Join(err, s.watcher.Add(filepath.Dir(path)))
	}
	return err
}

// matters reports whether an event is of the folder or of one of the files.
func (s *watched) matters(event fsnotify.Event) bool {
	inside := s.folder != "" && (event.Name == s.folder || strings.HasPrefix(event.Name, s.folder+string(filepath.Separator)))
	if inside && event.Has(fsnotify.Create) {
		_ = addTree(s.watcher, event.Name) // a new folder; a file is refused and that is fine
	}
	return (inside || s.files[event.Name] || filepath.Base(event.Name) == mounted) && event.Op != fsnotify.Chmod
}

// mounted is the link that a mounted volume of Kubernetes puts its files behind:
// it alone changes when they do.
const mounted = "..data"

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
