package vault

// SplitWords is for the test of the filter "all".
var SplitWords = splitWords
