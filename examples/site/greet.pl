# Says hello to whoever is named in the query.
use strict;
use warnings;

my ($name) = ($ENV{QUERY_STRING} // '') =~ /name=([A-Za-z]+)/;
print "Content-Type: text/plain\n\n";
print "Hello, ", $name // 'stranger', "!\n";
