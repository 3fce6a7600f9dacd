package rpc

import "strings"

// nearest is the name that a misspelt one was most likely meant to be, or empty.
func nearest(name string, names []string) string {
	best, least := "", len(name)/3+1
	if len(name) > 64 {
		return "" // nobody mistypes that
	}
	for _, candidate := range names {
		if d := distance(fold(name), fold(candidate)); d < least || (d == least && best == "") {
			best, least = candidate, d
		}
	}
	return best
}

// fold makes camelCase, snake_case and kebab-case of a name the same.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// distance is Levenshtein's: how many characters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
