package outputs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// StateDir is the folder beside the outputs where a server keeps what must
// survive a restart: keys, the test user, and which outputs it wrote.
const StateDir = ".fairway"

const manifestFile = "outputs.json"

// Folder is an outputs folder on disk.
type Folder struct {
	Dir   string
	Force bool // replace files that somebody else wrote

	// Local gives amplify_outputs.json the form of fairway_client.json, so that a
	// page that imports it calls the local pools without a change.
	Local bool
}

// Foreign is the error for an outputs file that Fairway did not write.
type Foreign struct{ Path string }

// Error says what to do.
func (e *Foreign) Error() string {
	return fmt.Sprintf("write outputs: %s was not written by fairway or was changed since: move it away, choose another --outputs-dir, or replace it with --force", e.Path)
}

// State is the path of the state folder, made if need be with a .gitignore that
// keeps its secrets out of version control.
func (f Folder) State() (string, error) {
	dir := filepath.Join(f.Dir, StateDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("open %s: it is not a folder but a link: remove it, fairway keeps secrets there", dir)
	}
	return dir, Replace(filepath.Join(dir, ".gitignore"), []byte("*\n"))
}

// Check fails with a *Foreign when Write would have to replace a file that
// Fairway did not write.
func (f Folder) Check() error {
	if f.Force {
		return nil
	}
	written, err := f.manifest()
	if err != nil {
		return err
	}
	for _, name := range []string{AmplifyFile, ClientFile, FairwayFile} {
		path := filepath.Join(f.Dir, name)
		have, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !slices.Contains(written[name], sum(have)) {
			return &Foreign{Path: path}
		}
	}
	return nil
}

// file is an outputs file by its name.
type file struct {
	name string
	data []byte
}

// Write replaces the files, each at once, and remembers what it wrote. They hold
// local credentials and are readable by their owner only.
func (f Folder) Write(amplify []byte, fairway Fairway) error {
	if err := f.Check(); err != nil {
		return err
	}
	files, err := f.files(amplify, fairway)
	if err != nil {
		return err
	}
	state, err := f.State()
	if err != nil {
		return err
	}
	// The manifest goes first and names what is there and what will be, so that
	// a crash in between leaves no file that looks foreign.
	written := map[string][]string{}
	for _, file := range files {
		written[file.name] = []string{sum(file.data), f.present(file.name)}
	}
	manifest, err := json.Marshal(written)
	if err != nil {
		return err
	}
	if err := Replace(filepath.Join(state, manifestFile), manifest); err != nil {
		return err
	}
	for _, file := range files {
		if err := Replace(filepath.Join(f.Dir, file.name), file.data); err != nil {
			return err
		}
	}
	return nil
}

// files are what Write writes.
func (f Folder) files(amplify []byte, fairway Fairway) ([]file, error) {
	client, err := Client(amplify, fairway)
	if err != nil {
		return nil, err
	}
	local, err := json.MarshalIndent(fairway, "", "  ")
	if err != nil {
		return nil, err
	}
	if f.Local {
		amplify = client
	}
	return []file{{AmplifyFile, amplify}, {ClientFile, client}, {FairwayFile, append(local, '\n')}}, nil
}

// Read is the fairway_outputs.json of a folder.
func Read(dir string) (Fairway, error) {
	raw, err := os.ReadFile(filepath.Join(dir, FairwayFile))
	if err != nil {
		return Fairway{}, err
	}
	var f Fairway
	if err := json.Unmarshal(raw, &f); err != nil {
		return Fairway{}, fmt.Errorf("read %s: %w", FairwayFile, err)
	}
	return f, nil
}

// present is the sum of what the file holds now, empty when there is none.
func (f Folder) present(name string) string {
	have, err := os.ReadFile(filepath.Join(f.Dir, name))
	if err != nil {
		return ""
	}
	return sum(have)
}

// manifest lists, for each file, the sums of what Fairway wrote there.
func (f Folder) manifest() (map[string][]string, error) {
	raw, err := os.ReadFile(filepath.Join(f.Dir, StateDir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var written map[string][]string
	if json.Unmarshal(raw, &written) != nil {
		return nil, nil // a torn manifest claims nothing
	}
	return written, nil
}

// Replace writes data beside path, readable by its owner only, and renames it into
// place: a reader sees the old file or the new one, and a link at path is
// replaced, not followed.
func Replace(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}
