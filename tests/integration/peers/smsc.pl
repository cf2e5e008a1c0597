#!/usr/bin/perl
# A message centre of the library Net::SMPP for one connection: says a text, answers what is submitted and sends its receipt.
# Tells in lines of JSON what it saw.
use strict;
use warnings;
use JSON::PP;
use Net::SMPP;

$| = 1;
my $listener = Net::SMPP->new_listen('127.0.0.1', port => 0, smpp_version => 0x34) or die "listen: $!";
my $json = JSON::PP->new->canonical;
my $ids = 0;

sub report { print $json->encode({@_}), "\n" }

sub say_text {
	my ($peer, $esm_class, $text) = @_;
	$peer->deliver_sm(async => 1, source_addr_ton => 1, source_addr_npi => 1, source_addr => '8613911112222',
		destination_addr => '10690000', esm_class => $esm_class, short_message => $text);
}

my %on = (
	Net::SMPP::CMD_bind_transceiver() => sub {
		my ($peer, $pdu) = @_;
		$peer->bind_transceiver_resp(seq => $pdu->{seq}, system_id => 'PERL', sc_interface_version => pack('C', 0x34));
		report(bind => $pdu->{system_id}, password => $pdu->{password});
		say_text($peer, 0, 'from perl');
	},
	Net::SMPP::CMD_submit_sm() => sub {
		my ($peer, $pdu) = @_;
		my $id = sprintf 'A%09X', ++$ids;
		$peer->submit_sm_resp(seq => $pdu->{seq}, message_id => $id);
		report(submit => $id, to => $pdu->{destination_addr}, coding => $pdu->{data_coding}, esm => $pdu->{esm_class},
			hex => unpack('H*', $pdu->{short_message}));
		say_text($peer, 4, "id:$id sub:001 dlvrd:001 submit date:2601020255 done date:2601020256 stat:DELIVRD err:000 text:")
			if $pdu->{registered_delivery};
	},
	Net::SMPP::CMD_deliver_sm_resp() => sub { report(answer => $_[1]{status}) },
	Net::SMPP::CMD_enquire_link() => sub { $_[0]->enquire_link_resp(seq => $_[1]{seq}) },
	Net::SMPP::CMD_unbind() => sub { $_[0]->unbind_resp(seq => $_[1]{seq}); report(unbind => 1) },
);

report(port => $listener->sockport);
my $peer = $listener->accept or die "accept: $!";
while (my $pdu = $peer->read_pdu) {
	my $handle = $on{$pdu->{cmd}};
	$handle->($peer, $pdu) if $handle;
}
