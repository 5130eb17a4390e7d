package amplify

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// Limits of what is read of a project folder, in bytes.
const (
	maxFile   = 5 << 20
	maxFolder = 64 << 20

	// maxSource is the limit of a file that is bundled. The bundler and the
	// interpreter descend into what is nested without a limit of their own, some
	// 2 KB of stack for one character: this much fits the stack of a goroutine,
	// the end of which is the end of the process.
	maxSource = 128 << 10
)

// folder is a project folder of which only regular files can be read, up to the
// limits. A device or a pipe is refused unopened: reading one may not end.
type folder struct {
	fs.FS

	mu   sync.Mutex // the bundler reads concurrently
	left int64      // bytes that may still be read
}

var (
	errIrregular = errors.New("not a regular file")
	errTooMuch   = fmt.Errorf("the project folder's files are larger than %d bytes", maxFolder)
)

// Stat looks at a file without opening it, which for a pipe may not end.
func (f *folder) Stat(name string) (fs.FileInfo, error) { return fs.Stat(f.FS, name) }

// ReadFile is a file's bytes. Its errors are the file system's own and those of
// the limits.
func (f *folder) ReadFile(name string) ([]byte, error) { return f.read(name, maxFile) }

func (f *folder) read(name string, limit int64) ([]byte, error) {
	info, err := fs.Stat(f.FS, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errIrregular}
	}
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// The size that Stat gives is no promise.
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("larger than %d bytes", limit)}
	case !f.spend(int64(len(data))):
		return nil, &fs.PathError{Op: "read", Path: name, Err: errTooMuch}
	}
	return data, nil
}

func (f *folder) spend(n int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left -= n
	return f.left >= 0
}
