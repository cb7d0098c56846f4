/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the table of commands. */
int main(void)
{
	return 0;
}
