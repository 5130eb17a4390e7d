package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// keepers are the packages that hold secrets, or what proves that one knows them.
var keepers = []string{
	"internal/auth", "internal/userpool", "internal/identitypool", "internal/srp", "internal/server", "internal/store",
	"internal/front/...", "internal/wire/sigv4",
}

// noSecrets are comparisons in them that a name makes look like one of a secret, as
// "package: expression", and why they are none.
var noSecrets = map[string]string{
	"internal/store: r.Token == a.Token": "the idempotency token of CreateInferenceProfile names a request and opens nothing",
}

// TestSecretsAreComparedInConstantTime wants whatever is called a secret to be compared
// by crypto/subtle or hmac.Equal: any other comparison ends at the first difference,
// and so tells where it is. What is compared with a constant is no guess at a secret,
// and a map is looked up by a hash.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	used := map[string]bool{}
	files := slices.DeleteFunc(goFiles(t), func(f goFile) bool {
		return f.test || !slices.ContainsFunc(keepers, func(p string) bool { return matches(p, f.dir) })
	})
	constants := map[string]map[string]bool{}
	for _, f := range files {
		if constants[f.dir] == nil {
			constants[f.dir] = map[string]bool{}
		}
		addConstants(constants[f.dir], f.syntax)
	}
	for _, f := range files {
		for _, n := range leaks(f.syntax, constants[f.dir]) {
			name := f.dir + ": " + source(n)
			if used[name] = true; noSecrets[name] == "" {
				t.Errorf("%s: %s compares a secret: use crypto/subtle or hmac.Equal, or say in noSecrets why it is none", f.at(n.Pos()), source(n))
			}
		}
	}
	for name := range noSecrets {
		if !used[name] {
			t.Errorf("noSecrets has %q, which is nowhere: take it out", name)
		}
	}
}

// secretWords are what the last word of a secret's name is.
var secretWords = []string{
	"secret", "password", "passwd", "pw", "pin", "token", "signature", "sig", "code", "verifier", "proof", "hash", "digest", "mac", "hmac",
	"otp", "totp", "credential",
}

// secretKeys are what the word before "key" is in the name of a key that is a secret.
var secretKeys = []string{"api", "bearer", "secret", "signing", "private", "master", "session"}

// forms are words that may follow the secret's in a name: how it is written, or made.
var forms = []string{"text", "bytes", "hex", "sum", "value", "string", "of"}

// saysSecret reports whether a name says that what it names is a secret, or derived
// from one: "refreshToken", "code_hash", "apiKeyBytes", "digestOf", "hashA".
func saysSecret(name string) bool {
	words := wordsOf(name)
	for n := len(words); n > 1 && len(words[n-1]) == 1; n = len(words) { // the letter tells two of a kind apart
		words = words[:n-1]
	}
	if n := len(words); n > 1 && slices.Contains(forms, words[n-1]) {
		words = words[:n-1]
	}
	if len(words) == 0 || words[0] == "err" {
		return false
	}
	last := strings.TrimSuffix(words[len(words)-1], "s")
	if last == "key" && len(words) > 1 {
		return slices.Contains(secretKeys, words[len(words)-2])
	}
	return slices.Contains(secretWords, last)
}

// wordsOf are the words of a Go name, in lower case: "HMACOfIDToken" is hmac, of, id, token.
func wordsOf(name string) []string {
	var words []string
	runes, from := []rune(name), 0
	for i := 1; i <= len(runes); i++ {
		switch {
		case i < len(runes) && runes[i] == '_':
		case i < len(runes) && !unicode.IsUpper(runes[i]):
			continue
		case i < len(runes) && unicode.IsUpper(runes[i-1]) && (i+1 == len(runes) || !unicode.IsLower(runes[i+1])):
			continue
		}
		if word := strings.Trim(strings.ToLower(string(runes[from:i])), "_0123456789"); word != "" {
			words = append(words, word)
		}
		from = i
	}
	return words
}

// leaks are the comparisons of secrets in a file that take a time that tells of them.
func leaks(file *ast.File, constants map[string]bool) []ast.Node {
	f := fileOf(file, constants)
	var found []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if (n.Op == token.EQL || n.Op == token.NEQ) && f.leaks(n.X, n.Y) {
				found = append(found, n)
			}
		case *ast.CallExpr:
			if isComparison(n) && f.leaks(operands(n)...) {
				found = append(found, n)
			}
		case *ast.SwitchStmt:
			if n.Tag != nil && f.leaks(append(cases(n), n.Tag)...) {
				found = append(found, n.Tag)
			}
		}
		return true
	})
	return found
}

// comparing is what is known where expressions are compared.
type comparing struct {
	constants map[string]bool // of the package
	imported  map[string]bool // names of packages
}

func fileOf(file *ast.File, constants map[string]bool) comparing {
	imported := map[string]bool{}
	for _, spec := range file.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		name := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = true
	}
	return comparing{constants, imported}
}

// leaks reports whether one of the expressions is a secret and none that it is compared
// with is constant.
func (c comparing) leaks(operands ...ast.Expr) bool {
	variable := slices.DeleteFunc(slices.Clone(operands), c.isConstant)
	return len(variable) > 1 && slices.ContainsFunc(variable, func(e ast.Expr) bool { return saysSecret(nameOf(e)) })
}

// isConstant reports whether an expression says the same in every run: literals, also
// as bytes, nil, constants, and what other packages declare.
func (c comparing) isConstant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.ParenExpr:
		return c.isConstant(e.X)
	case *ast.CompositeLit:
		return len(e.Elts) == 0
	case *ast.CallExpr:
		_, conversion := e.Fun.(*ast.ArrayType)
		return conversion && len(e.Args) == 1 && c.isConstant(e.Args[0])
	case *ast.Ident:
		return e.Name == "nil" || e.Name == "true" || e.Name == "false" || c.constants[e.Name]
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		return ok && c.imported[x.Name]
	}
	return false
}

// nameOf is the name of what an expression gives, through what only writes it another
// way; empty for what has none.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.ParenExpr:
		return nameOf(e.X)
	case *ast.StarExpr:
		return nameOf(e.X)
	case *ast.UnaryExpr:
		return nameOf(e.X)
	case *ast.IndexExpr:
		return nameOf(e.X)
	case *ast.SliceExpr:
		return nameOf(e.X)
	case *ast.CallExpr:
		return nameOfCall(e)
	}
	return ""
}

// rewriters are functions whose result is their argument in another form.
var rewriters = []string{"string", "ToLower", "ToUpper", "TrimSpace", "EncodeToString", "DecodeString", "Clone"}

func nameOfCall(call *ast.CallExpr) string {
	_, conversion := call.Fun.(*ast.ArrayType)
	if name := nameOf(call.Fun); !conversion && !slices.Contains(rewriters, name) {
		return name
	}
	if len(call.Args) == 0 {
		return ""
	}
	return nameOf(call.Args[0])
}

// comparisons are the functions that compare, by package.
var comparisons = map[string][]string{
	"bytes":   {"Equal", "Compare", "EqualFold", "HasPrefix", "HasSuffix", "Contains", "Index"},
	"strings": {"Compare", "EqualFold", "HasPrefix", "HasSuffix", "Contains", "Index"},
	"slices":  {"Equal", "Compare", "Contains", "Index"},
	"cmp":     {"Compare"},
	"reflect": {"DeepEqual"},
}

func isComparison(call *ast.CallExpr) bool {
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if x, ok := fun.X.(*ast.Ident); ok && slices.Contains(comparisons[x.Name], fun.Sel.Name) {
		return true
	}
	return isMethodEqual(call)
}

// isMethodEqual reports whether a call is a.Equal(b), as arrays of times and keys have.
func isMethodEqual(call *ast.CallExpr) bool {
	fun, ok := call.Fun.(*ast.SelectorExpr)
	return ok && fun.Sel.Name == "Equal" && len(call.Args) == 1
}

func operands(call *ast.CallExpr) []ast.Expr {
	if isMethodEqual(call) {
		return append(slices.Clone(call.Args), call.Fun.(*ast.SelectorExpr).X)
	}
	return call.Args
}

func cases(s *ast.SwitchStmt) []ast.Expr {
	var all []ast.Expr
	for _, clause := range s.Body.List {
		if c, ok := clause.(*ast.CaseClause); ok {
			all = append(all, c.List...)
		}
	}
	return all
}

func addConstants(to map[string]bool, file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		if decl, ok := n.(*ast.GenDecl); ok && decl.Tok == token.CONST {
			for _, spec := range decl.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					to[name.Name] = true
				}
			}
		}
		return true
	})
}

// source is a node as gofmt writes it.
func source(n ast.Node) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, token.NewFileSet(), n); err != nil {
		return err.Error()
	}
	return b.String()
}

// TestSecretsBite makes sure that the check finds what it looks for, and that alone.
func TestSecretsBite(t *testing.T) {
	for text, want := range map[string]bool{
		`a.Secret == given`:                           true,
		`given != u.Password`:                         true,
		`refreshToken == b`:                           true,
		`string(mac) == string(want)`:                 true,
		`bytes.Equal(sum, codeHash)`:                  true,
		`bytes.Equal(want, digest[:])`:                true,
		`strings.EqualFold(signature, s)`:             true,
		`strings.Compare(apiKey, s) == 0`:             true,
		`slices.Equal(a, verifierBytes)`:              true,
		`slices.Contains(codes, given)`:               true,
		`reflect.DeepEqual(proof, p)`:                 true,
		`hex.EncodeToString(mac) == given`:            true,
		`digestOf(a) == given`:                        true,
		`*p.hash == given`:                            true,
		`s.tokens[0] == given`:                        true,
		`[]byte(code)[0] == given[0]`:                 true,
		`hash.Equal(b)`:                               true,
		`a.Equal(apiKey)`:                             true,
		`func() { switch token { case given: } }`:     true,
		`func() { switch given { case "", token: } }`: true,
		`sig == given`:                                true,
		`given == u.pw`:                               true,
		`passwd != given`:                             true,
		`pin == given`:                                true,
		`hashA == hashB`:                              true,
		`apiKeyA == b`:                                true,
		`strings.HasPrefix(token, given)`:             true,
		`strings.HasSuffix(given, code)`:              true,
		`strings.Contains(signature, given)`:          true,
		`strings.Index(secret, given) == 0`:           true,
		`bytes.HasPrefix(mac, given)`:                 true,
		`bytes.HasSuffix(mac, given)`:                 true,
		`bytes.Contains(digest, given)`:               true,
		`bytes.Index(hash, given) == 0`:               true,
		`code == ""`:                                  false,
		`keyA == key`:                                 false,
		`pinned == given`:                             false,
		`strings.HasPrefix(token, "eyJ")`:             false,
		`strings.HasPrefix(token, limit)`:             false,
		`bytes.Contains(token, []byte("."))`:          false,
		`hash == nil`:                                 false,
		`token == limit`:                              false,
		`token != json.Delim`:                         false,
		`digest == [32]byte{}`:                        false,
		`len(token) == n`:                             false,
		`tokenUse == want`:                            false,
		`strings.Count(token, sep) == n`:              false,
		`errToken == err`:                             false,
		`key == name`:                                 false,
		`signature < other`:                           false,
		`hmac.Equal(mac, want)`:                       false,
		`subtle.ConstantTimeCompare(hash, want) == n`: false,
		`subtle.ConstantTimeCompare(hash, want) == 1`: false,
		`byHash[hash]`:                                false,
		`func() { switch code { case "", limit: } }`:  false,
		`func() { switch { case ok: } }`:              false,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "made_up.go", "package p\nimport \"encoding/json\"\nconst limit = 1\nvar _ = "+text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		constants := map[string]bool{}
		addConstants(constants, file)
		if got := len(leaks(file, constants)) > 0; got != want {
			t.Errorf("leaks(%s) = %t, want %t", text, got, want)
		}
	}
}

func TestWordsOf(t *testing.T) {
	for name, want := range map[string]string{
		"HMACOfIDToken": "hmac of id token", "codeHash": "code hash", "SECRET_BLOCK": "secret block", "x": "x", "apiKey2": "api key", "_": "", "SRPB": "srpb",
	} {
		if got := strings.Join(wordsOf(name), " "); got != want {
			t.Errorf("wordsOf(%q) = %q, want %q", name, got, want)
		}
	}
}
